"""A controlling process for tests: says who its workers are, and waits. Arguments: a folder, the number of workers."""

import json
import signal
import sys
from pathlib import Path
from types import FrameType

from experiments.engine.make import make_engine
from experiments.settings.engines import Engines
from experiments.system.errors import Stopped
from tests.engine import work


def stop(number: int, frame: FrameType | None) -> None:
    raise Stopped(number)


def main() -> None:
    """Run tasks that never end."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, stop)
    signal.signal(signal.SIGHUP, signal.SIG_DFL)  # tests that run under nohup pass on that it is ignored
    settings = Engines.model_validate(json.loads(sys.argv[3]))
    engine = make_engine(sys.argv[4], settings, workers=int(sys.argv[2]), threads=1, folder=Path(sys.argv[1]))  # type: ignore[arg-type]
    engine.start(lambda key, message: print(json.dumps(message), flush=True))
    begun: set[str] = set()
    try:
        while True:
            for slot in engine.slots():
                if slot.name not in begun:
                    begun.add(slot.name)
                    engine.submit(slot.name, slot, work.with_child)
            list(engine.events(0.05))
    except Stopped as request:
        sys.exit(request.exit_code)
    finally:
        engine.close()


if __name__ == "__main__":
    main()
