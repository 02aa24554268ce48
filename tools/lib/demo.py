"""The demonstration behind tools/run: the service, a simulated fleet, and one of the stories of scenarios.py."""
import argparse
import signal
import sys

from scenarios import SCENARIOS
from stage import Stage


def run(stage):
    story = SCENARIOS[stage.options.scenario]
    print(f"Scenario {stage.options.scenario}: {story.__doc__}")
    stage.serve()
    good = story(stage)
    if not good:
        print("\ntools/run: this is not how the story should end", file=sys.stderr)
    if not stage.options.once:
        print("\nThe service goes on; Ctrl-C ends it.", flush=True)
        stage.service.wait()
    return 0 if good else 1


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--bin", required=True)
    parser.add_argument("--data", default="")
    parser.add_argument("--once", action="store_true")
    parser.add_argument("--scenario", choices=SCENARIOS, default="staged")
    stage = Stage(parser.parse_args())
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    sys.stdout.reconfigure(line_buffering=True)
    try:
        return run(stage)
    except KeyboardInterrupt:
        print("\nstopping")
        return 0
    except (RuntimeError, OSError) as fault:
        print(f"tools/run: {fault}", file=sys.stderr)
        return 1
    finally:
        stage.stop_all()


if __name__ == "__main__":
    sys.exit(main())
