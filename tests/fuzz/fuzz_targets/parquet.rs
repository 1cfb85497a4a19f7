//! Throws what libFuzzer makes at [`fer_fuzz::PARQUET`].
#![no_main]

fer_fuzz::fuzz!(fer_fuzz::PARQUET);
