"""What a type checker must refuse: every line with `# refused: CODE`, and no other. Checked by mypy, never run."""

import manyhands as mh


def half(number: int) -> float:
    return number / 2


mh.map()  # refused: call-overload
mh.map(half, [1], worker=2)  # refused: call-overload
mh.map(half, [1], backend="threads and so on")  # refused: call-overload
mh.map(half, [1], on_error="ignore")  # refused: call-overload
mh.imap(half, 3)  # refused: arg-type
mh.Pool("four")  # refused: arg-type
mh.Pool().map(half, ["text"])  # refused: arg-type
mh.Pool().apply_async(half, (1,)).get("soon")  # refused: arg-type
mh.cpu_count(logic=True)  # refused: call-arg
print(mh.no_such_name)  # refused: attr-defined
mh.Parallel(2, return_as="tuple")  # refused: call-overload
mh.Parallel(n_jobs=2)(half(i) for i in range(3))  # refused: arg-type
mh.Parallel(n_jobs=2)([mh.delayed(half)("text")])  # refused: arg-type
mh.task(3)  # refused: call-overload
mh.task(half, nout="two")  # refused: call-overload
mh.task(half)(1).compute(backend="gpu")  # refused: arg-type
mh.compute(1, worker=2)  # refused: call-arg
mh.ThreadPool(2, maxtasksperchild=3)  # refused: call-arg
mh.map(half, [1, 2], backend="thread")  # refused: call-overload
