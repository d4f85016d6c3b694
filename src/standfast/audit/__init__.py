"""What journals alone prove about G1 to G8."""
