//! Throws what libFuzzer makes at [`fer_fuzz::CONFIG`].
#![no_main]

fer_fuzz::fuzz!(fer_fuzz::CONFIG);
