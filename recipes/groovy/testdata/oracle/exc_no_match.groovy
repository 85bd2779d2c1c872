try { throw new RuntimeException("r") } catch (IOException e) { println "no" }
