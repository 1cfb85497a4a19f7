//! Throws what libFuzzer makes at [`fer_fuzz::MANIFEST`].
#![no_main]

fer_fuzz::fuzz!(fer_fuzz::MANIFEST);
