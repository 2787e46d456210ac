"""Text in, numbers out: tokenisers shared by both wings. Needs nothing beyond Python."""
