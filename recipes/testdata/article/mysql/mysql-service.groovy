service {
name "mysql"
icon "mysql.png"
type "DATABASE"
elastic true
numInstances 1
minAllowedInstances 1
maxAllowedInstances 3
compute {
template "SMALL_LINUX"
}
lifecycle{

install "mysql_install.groovy"
start "mysql_start.groovy"
startDetectionTimeoutSecs 900
startDetection "mysql_startDetection.groovy"
stopDetection {
!ServiceUtils.isPortOccupied(jdbcPort)
}
        }
}
