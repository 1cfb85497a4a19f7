//! Throws what libFuzzer makes at [`fer_fuzz::PHOTOGRAPH`].
#![no_main]

fer_fuzz::fuzz!(fer_fuzz::PHOTOGRAPH);
