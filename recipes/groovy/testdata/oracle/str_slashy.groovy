println(/a\d+b/)
println(/path\/to/)
def n = 5
println(/n=${n}\w/)
println "a1b" ==~ /a\db/
