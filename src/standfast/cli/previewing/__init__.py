"""What `standfast plan` does: draw the next plan as a planner would, hold it to the zones, show it."""
