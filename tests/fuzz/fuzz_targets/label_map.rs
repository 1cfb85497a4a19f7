//! Throws what libFuzzer makes at [`fer_fuzz::LABEL_MAP`].
#![no_main]

fer_fuzz::fuzz!(fer_fuzz::LABEL_MAP);
