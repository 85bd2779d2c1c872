throw new IllegalStateException("stop")
