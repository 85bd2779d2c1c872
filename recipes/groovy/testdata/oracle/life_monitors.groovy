def counters = [requests: 1200L, seconds: 60, errors: 3]
def monitors = {
    def rate = counters.requests / counters.seconds
    ["Requests per second": rate, "Error %": (counters.errors * 100 / counters.requests).setScale(2, BigDecimal.ROUND_HALF_UP), "Up": true]
}
monitors().each { k, v -> println "$k = $v (${v.class.simpleName})" }
