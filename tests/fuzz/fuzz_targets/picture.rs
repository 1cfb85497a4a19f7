//! Throws what libFuzzer makes at [`fer_fuzz::PICTURE`].
#![no_main]

fer_fuzz::fuzz!(fer_fuzz::PICTURE);
