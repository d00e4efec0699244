"""Each moment at which a process can die: before its K-th sync to disk, before its K-th send.

strace kills the agent or the hub on its way into the K-th call, a real site goes on, the process is started again,
and everything that was accepted must end once. Effects are counted in a file that a program of its own syncs.

    make killpoints                       # the whole sweep; writes build/killpoints.json
    .venv/bin/python -m tests.killpoints --only agent --points 20
"""
