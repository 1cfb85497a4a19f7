//! Throws what libFuzzer makes at [`fer_fuzz::FER2013`].
#![no_main]

fer_fuzz::fuzz!(fer_fuzz::FER2013);
