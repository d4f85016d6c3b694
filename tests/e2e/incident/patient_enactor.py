"""An enactor of production as a process that waits for Route 53's answer as long as the stand-in holds a request.

    python tests/e2e/incident/patient_enactor.py run --role enactor …

After 15 s production takes a change's outcome for unknown, settles that by reading, and never hears what the provider
made of the bytes. Here they are held for longer, and the answer is what is to be seen.
"""

from __future__ import annotations

from standfast.cli import main
from standfast.runtime import hosted

PATIENCE_S = 900.0

if __name__ == "__main__":
    hosted.TIMEOUT_S = PATIENCE_S  # type: ignore[misc]
    main()
