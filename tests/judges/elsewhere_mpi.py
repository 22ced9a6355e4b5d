"""`on="mpi"` for real: this file under an MPI's launcher, with one or two workers.

    .judges/engines/bin/python tests/judges/elsewhere_mpi.py

starts itself as `mpiexec -n 2` and `-n 3 python -m mpi4py.futures elsewhere_mpi.py judge`. The judged program has no
`__main__` guard on purpose.
"""

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

PATIENCE = 300

if sys.argv[1:] == ["judge"]:
    import elsewhere_cases as cases

    import manyhands as mh

    left_out = {"a worker that dies": "MPI ends the whole program with it"}
    status = cases.judge("MPI", ("case",), "mpi", skipped=left_out)
    # The program's own globals, as they are now.
    bonus = 1
    status += mh.map(lambda x: x + bonus, range(3), on="mpi") != [1, 2, 3]
    bonus = 2
    status += mh.map(lambda x: x + bonus, range(3), on="mpi") != [2, 3, 4]
    # Ctrl-C comes back at once; what runs over there goes on to its end.
    threading.Timer(0.5, os.kill, (os.getpid(), signal.SIGINT)).start()
    began = time.perf_counter()
    try:
        mh.map(lambda x: time.sleep(1), range(100), on="mpi")
        status += 1
    except KeyboardInterrupt:
        print(f"ok, interrupted after {time.perf_counter() - began:.1f} s")
    print("status", status, flush=True)
elif sys.argv[1:] == ["alone"]:
    import manyhands as mh

    try:
        mh.map(abs, [1], on="mpi")
    except RuntimeError as error:
        print("refused" if "mpiexec -n N" in str(error) else error)
else:
    here, mpiexec = Path(__file__).resolve(), Path(sys.executable).parent / "mpiexec"
    good = True
    for ranks in (2, 3):
        print(f"{ranks} ranks:", flush=True)
        command = [mpiexec, "-n", str(ranks), sys.executable, "-m", "mpi4py.futures", here, "judge"]
        done = subprocess.run(command, stdout=subprocess.PIPE, text=True, timeout=PATIENCE)
        print(done.stdout)
        # Once, and good: a worker that ran this program too would say it again.
        good &= done.returncode == 0 and done.stdout.count("status") == 1 and "status 0" in done.stdout
    done = subprocess.run([sys.executable, here, "alone"], stdout=subprocess.PIPE, text=True, timeout=PATIENCE)
    good &= done.stdout == "refused\n"
    print("all is well" if good else "FAILED")
    sys.exit(0 if good else 1)
