println String.format("%d", "x")
