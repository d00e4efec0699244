"""Proof by chaos: a site under load while everything that can break breaks, and three records that must agree.

    make chaos                                  # 5 minutes, a new seed
    make chaos CHAOS_MINUTES=20 CHAOS_SEED=7    # longer, and the plan of faults of seed 7

`plan` decides what breaks when (a pure function of the seed), `testbed` is the site, `faults` breaks it, `callers` send
commands and write down what HTTP promised, `effect` is the machine's own log, `records` reads all three, `checker`
compares them (pure), `report` says it to people. See docs/explanation/proof.md.
"""
