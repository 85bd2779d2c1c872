def a() { if (true) { 5 } else { 6 } }
def b() { try { 7 } finally { 8 } }
def c() { switch (1) { case 1: 9 } }
def d() { for (i in 1..2) { i } }
println a()
println b()
println c()
println d()
