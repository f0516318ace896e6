"""What commands print: boards, tables, verdicts, progress."""
