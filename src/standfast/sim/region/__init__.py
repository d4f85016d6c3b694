"""The region of 19-20 October 2025: its services, what befell them, and how they came back."""
