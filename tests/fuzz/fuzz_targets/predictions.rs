//! Throws what libFuzzer makes at [`fer_fuzz::PREDICTIONS`].
#![no_main]

fer_fuzz::fuzz!(fer_fuzz::PREDICTIONS);
