#![no_main]

fer_fuzz::fuzz!(fer_fuzz::MANIFEST);
