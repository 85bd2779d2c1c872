println "2024-05-06".replaceAll(/(\d+)-(\d+)-(\d+)/, '$3/$2/$1')
println "aXb".replaceAll("X", java.util.regex.Matcher.quoteReplacement('$'))
println "a.b".replaceAll(java.util.regex.Pattern.quote("."), "-")
