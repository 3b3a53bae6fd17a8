# Places on earth.

start_server {tags {geo}} {
  test {GEOADD, GEOPOS and GEODIST} {
    assert_equal [r geoadd sicily 13.361389 38.115556 Palermo 15.087269 37.502669 Catania] 2
    lassign [lindex [r geopos sicily Palermo] 0] longitude latitude
    assert_range $longitude 13.3613 13.3614
    assert_range $latitude 38.1155 38.1156
    assert_equal [r geopos sicily nothing] {{}}
    assert_equal [r geodist sicily Palermo Catania] 166274.1516
    assert_equal [r geodist sicily Palermo Catania km] 166.2742
    r geodist sicily Palermo nothing
  } {}

  test {GEOHASH is the usual one} {
    r geohash sicily Palermo Catania
  } {sqc8b49rny0 sqdtr74hyu0}

  test {GEOADD takes conditions, and refuses places that are none} {
    assert_equal [r geoadd sicily nx 0 0 Palermo] 0
    assert_equal [r geoadd sicily xx ch 13.4 38.1 Palermo] 1
    assert_error {*invalid longitude,latitude*} {r geoadd sicily 200 10 x}
    assert_error {*not a valid float*} {r geoadd sicily a 10 x}
    r geoadd sicily 13.361389 38.115556 Palermo
  } {0}

  test {GEOSEARCH by radius and by box, near or far first} {
    assert_equal [r geosearch sicily fromlonlat 15 37 byradius 200 km asc] {Catania Palermo}
    assert_equal [r geosearch sicily fromlonlat 15 37 byradius 200 km desc count 1] Palermo
    assert_equal [r geosearch sicily frommember Palermo bybox 10 10 km] Palermo
    assert_equal [r geosearch sicily fromlonlat 15 37 byradius 100 km asc withdist] {{Catania 56.4413}}
    assert_error {*exactly one of*} {r geosearch sicily frommember Palermo asc withdist withcoord}
    r geosearch none fromlonlat 15 37 byradius 200 km
  } {}

  test {GEORADIUS and GEORADIUSBYMEMBER, and what they store} {
    assert_equal [r georadius sicily 15 37 200 km asc] {Catania Palermo}
    assert_equal [r georadiusbymember sicily Catania 1 m] Catania
    assert_equal [r georadius sicily 15 37 200 km store found] 2
    assert_equal [lsort [r zrange found 0 -1]] {Catania Palermo}
    assert_equal [r geosearchstore far sicily fromlonlat 15 37 byradius 200 km storedist] 2
    r zrange far 0 -1
  } {Catania Palermo}

  test {a search finds what the distance says} {
    r del places
    for {set i 0} {$i < 150} {incr i} { r geoadd places [expr {rand() * 20}] [expr {rand() * 20}] p$i }
    r geoadd places 10 10 center
    set found [lsort [r geosearch places frommember center byradius 500 km]]
    set wanted {}
    foreach member [r zrange places 0 -1] {
      if {[r geodist places center $member km] <= 500} { lappend wanted $member }
    }
    expr {$found eq [lsort $wanted]}
  } {1}
}
