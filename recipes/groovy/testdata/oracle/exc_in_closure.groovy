try { [1, 2].each { if (it == 2) throw new RuntimeException("at $it"); println it } } catch (e) { println e.message }
