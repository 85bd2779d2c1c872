try { Integer i = "x" } catch (e) { println e.class.simpleName }
try { (List) "x" ; println "no" } catch (e) { println e.class.simpleName }
try { def d = "abc" as Date } catch (e) { println e.class.simpleName }
