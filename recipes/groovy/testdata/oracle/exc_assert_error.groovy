try { assert false } catch (AssertionError e) { println "ae" }
try { assert 1 == 2 : "msg" } catch (AssertionError e) { println "ae2" }
