"""An enactor as a process that waits for its DNS server's answer as long as a test holds a request.

    python tests/e2e/patient_enactor.py run --role enactor …

After 5 s production takes a change's outcome for unknown and settles that by reading. Who stands still meanwhile finds
the time over when it goes on, and whether twenty generations take longer than that is up to the machine.
"""

from __future__ import annotations

from standfast.cli import main
from standfast.runtime.place import Place

PATIENCE_S = 900.0

if __name__ == "__main__":
    defaults = Place.open_provider.__kwdefaults__
    assert defaults is not None
    assert "timeout_s" in defaults
    defaults["timeout_s"] = PATIENCE_S
    main()
