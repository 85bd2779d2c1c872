def s = """\
    line1
      line2
    line3"""
println s.stripIndent()
def t = """|a
           |  b
           |c"""
println t.stripMargin()
