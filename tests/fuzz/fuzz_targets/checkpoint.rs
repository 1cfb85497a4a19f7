//! Throws what libFuzzer makes at [`fer_fuzz::CHECKPOINT`].
#![no_main]

fer_fuzz::fuzz!(fer_fuzz::CHECKPOINT);
