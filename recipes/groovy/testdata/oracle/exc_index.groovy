try { [1, 2].get(9) } catch (IndexOutOfBoundsException e) { println "ioobe" }
try { "abc".charAt(9) } catch (StringIndexOutOfBoundsException e) { println "sioobe" }
try { new int[1][3] } catch (ArrayIndexOutOfBoundsException e) { println "aioobe" }
