"""One set of metrics over the records of any regime: live, paper, dry run or a replay."""
