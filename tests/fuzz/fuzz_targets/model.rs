//! Throws what libFuzzer makes at [`fer_fuzz::MODEL`].
#![no_main]

fer_fuzz::fuzz!(fer_fuzz::MODEL);
