"""G1–G8 and G10 checked again from journals alone: no clock, no store, no zone, and no code of those who are judged.

files ─▶ lines ─▶ record ─▶ chains, floors, plans, collections ─▶ report
         format   links     one guarantee each                    holds | VIOLATED | cannot tell
"""
