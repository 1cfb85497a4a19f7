//! The command `fer-train`.

use std::process::ExitCode;

/// Training makes and drops large buffers at every step, which the system's allocator hands back
/// to the kernel each time.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    fer_train::command::main(std::env::args_os())
}
