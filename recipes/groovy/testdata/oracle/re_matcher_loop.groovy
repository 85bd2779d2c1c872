def m = "x=1,y=2" =~ /(\w)=(\d)/
m.each { println it }
while (m.find()) println "never?"
def n = "x=1,y=2" =~ /(\w)=(\d)/
while (n.find()) println n.group(1) + n.group(2)
