//! Throws what libFuzzer makes at [`fer_fuzz::FERPLUS`].
#![no_main]

fer_fuzz::fuzz!(fer_fuzz::FERPLUS);
