println "hello".tr("el", "ip")
println "hello".tr("a-y", "b-z")
