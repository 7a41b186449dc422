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

# More holes in the logs of simulated companies than every test run tries
holes count="2000" first="0":
    EKSPLAIN_HOLES={{count}} EKSPLAIN_HOLES_FIRST={{first}} cargo test --test holes -- --nocapture

# The demo's data anew, after a change of the generator
demo-data:
    EKSPLAIN_WRITE_DEMO=1 cargo test --test demo the_embedded

# Micro-benchmarks of the inner loops
bench:
    cargo bench --bench inner_loops

# eksplain beside DuckDB on the same files
peers scale="0.25":
    benches/peers --scale {{scale}}

# The page of 2,000 clusters and 200,000 findings, to look at (/tmp/eksplain-many)
many clusters="2000" findings="200000":
    python3 benches/many_clusters.py /tmp/eksplain-many/logs --clusters {{clusters}} --findings {{findings}}
    cargo run -- --lake /tmp/eksplain-many/lake ingest files /tmp/eksplain-many/logs/trail
    cargo run -- --lake /tmp/eksplain-many/lake ingest files /tmp/eksplain-many/logs/eks --layout '{account}/{region}/{cluster}/{stream}/*'
    cargo run -- --lake /tmp/eksplain-many/lake report --to /tmp/eksplain-many/report --form html

# The chart library of the page anew, after a change of its package.json
charts:
    src/report/page/vendor/build

# A binary for daily use
install:
    cargo install --path . --locked
