# What people do here; `just` lists it.
default:
    @just --list

# The main job on embedded data
demo:
    cargo run -- demo

# Every test
test:
    tests/all

# Format and lint as CI does
lint:
    cargo fmt --all --check
    cargo clippy --workspace --all-targets --locked -- -D warnings

# What CI runs
ci:
    .ci/run

# More simulated companies than every test run tries
estate seeds="100" first="1":
    EKSPLAIN_ESTATE_SEEDS={{seeds}} EKSPLAIN_ESTATE_FIRST_SEED={{first}} cargo test --test estate

# The demo's data anew, after a change of the generator
demo-data:
    EKSPLAIN_WRITE_DEMO=1 cargo test --test demo the_embedded

# Micro-benchmarks of the inner loops
bench:
    cargo bench --bench inner_loops

# eksplain beside DuckDB on the same files
peers scale="0.25":
    benches/peers --scale {{scale}}

# A binary for daily use
install:
    cargo install --path . --locked
