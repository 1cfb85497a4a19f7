# Lists the recipes.
default:
    @just --list

# What must pass before a change lands.
ready: test lint docs bench-build packages deny cuda-check

# The tests, as the README has them.
test:
    cargo test --workspace

# Breaks training runs in every way, 100 kills included, gives us data of every size and files from strangers, and
# writes what came of it into tests/README.md.
torture:
    cargo test --workspace --test torture -- --long --write
    cargo test --workspace --test strangers -- --long --write

# Formatting and lints.
lint:
    cargo fmt --all --check
    cargo clippy --workspace --all-targets -- -D warnings
    cargo clippy -p fer-train --no-default-features -- -D warnings

# The documentation, with broken links denied.
docs:
    RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps

# The benchmarks compile; in the development profile, which is as fast and is built already.
bench-build:
    cargo bench --workspace --no-run --profile dev

# The packages of the crates, up to where they would be uploaded.
packages:
    cargo publish --workspace --dry-run --no-verify --allow-dirty

# The code for CUDA type-checks where there is no CUDA.
cuda-check:
    sh .ci/cuda-check

# The program with NVIDIA's compiler from PyPI: that it links, and what it says and does without a GPU.
cuda-link:
    python3 tests/cuda/link.py

# What a training step asks of a GPU, counted without one; see benches/README.md.
cuda-count *arguments:
    python3 tests/cuda/count.py {{arguments}}

# Licences, sources and double versions of what is depended on, and known holes where the database can be reached.
deny:
    cargo deny --version || cargo install --locked cargo-deny
    cargo deny check bans licenses sources
    if git ls-remote --quiet https://github.com/RustSec/advisory-db HEAD; then cargo deny check advisories; \
        else echo "the database of advisories cannot be reached: not checked"; fi

# Throws changed bytes at every door that files come in through, ten minutes each; see tests/fuzz/fuzz.py.
fuzz *arguments:
    cargo fuzz --version || cargo install --locked cargo-fuzz
    python3 tests/fuzz/fuzz.py {{arguments}}

# What a GPU computes beside the CPU, as a table: `just test-cuda`, `just test-cuda cudnn`. It fails without a GPU.
test-cuda feature="cuda" device="cuda":
    cargo test --workspace --features fer-tests/{{feature}} --test devices -- --device {{device}}

# How fast a GPU is beside the CPU, as a table.
bench-cuda feature="cuda" device="cuda":
    cargo test --workspace --features fer-tests/{{feature}} --test devices -- --device {{device}} --speed

# The same on a Mac's GPU.
test-metal: (test-cuda "metal" "metal")

# How fast a Mac's GPU is beside the CPU.
bench-metal: (bench-cuda "metal" "metal")

# All benchmarks.
bench:
    cargo bench --workspace

# What each change of ablation.toml is worth; see benches/accuracy/README.md.
accuracy *arguments:
    cargo build --release --workspace --bin fer-train
    python3 benches/accuracy/accuracy.py {{arguments}}

# The page in a browser, and the server under load beside FastAPI; see benches/serve/README.md.
page-test *arguments:
    test -x target/serve/venv/bin/python || python3 -m venv target/serve/venv
    target/serve/venv/bin/pip install --quiet --requirement benches/serve/requirements.txt
    cargo test --workspace --test cli serve:: -- --nocapture
    cargo build --workspace --bin fer-train
    target/serve/venv/bin/python benches/serve/serve.py {{arguments}}

# Whether ONNX's checker, onnxruntime, PyTorch and Keras answer as fer does; see tests/README.md.
interop *arguments:
    test -x target/interop/venv/bin/python || python3 -m venv target/interop/venv
    target/interop/venv/bin/pip install --quiet --requirement tests/interop/requirements.txt
    cargo build --workspace --example interop
    target/interop/venv/bin/python tests/interop/interop.py target/debug/examples/interop {{arguments}}

# Several processes under Open MPI: whether they follow one, what is left when one is killed, and how much
# faster two are; see benches/README.md.
mpi-test *arguments: mpi-build
    python3 tests/mpi/mpi.py test target/debug/fer-train target/debug/examples/mpi {{arguments}}

# How much faster two processes are, alone.
mpi-bench *arguments: mpi-build
    python3 tests/mpi/mpi.py bench target/debug/fer-train target/debug/examples/mpi {{arguments}}

# What `mpi-test` needs: Open MPI and libclang, which are installed on Debian, and the programs with MPI.
mpi-build:
    sh tests/mpi/install
    cargo build --workspace --features fer-train/mpi,fer-tests/mpi --bin fer-train --example mpi

# fer beside PyTorch, Keras, onnxruntime, tract and candle; see benches/peers/README.md.
peers *arguments: peers-build
    target/peers/venv/bin/python benches/peers/peers.py {{arguments}}

# What `peers` needs: a virtual environment, and the Rust side in release.
peers-build:
    test -x target/peers/venv/bin/python || python3 -m venv target/peers/venv
    target/peers/venv/bin/pip install --quiet --requirement benches/peers/requirements.txt
    cargo build --release --workspace --bin fer-train --example peer --example reading
    cargo build --release --manifest-path benches/peers/tract/Cargo.toml --target-dir target/peers/tract
