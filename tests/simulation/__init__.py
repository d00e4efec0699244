"""The agent's core and the hub's services in one simulated world: one seed, one run, exactly the same each time.

Production code decides everything: `device_agent.core` on the clients, services, workers and rules of `hub` in its
workers, `schemas` between them. Simulated are time, network and broker, disk, devices, and the store, whose typed
functions work on memory here (`store.py`); the SQL behind them has tests of its own.

    make simulation SEEDS=10000
    .venv/bin/python -m tests.simulation --seed 42     # one run, with its trace
"""
