service {
    name "front"
    type "WEB_SERVER"
    maxAllowedInstances 2
    lifecycle {
        start "front.sh"
        stop "front.sh"
    }
}
