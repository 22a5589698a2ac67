"""Names and ports lead to the live copy: HAProxy configurations, and the socket to steer them.

Everything here is pure but `admin`; standard library only, Python 3.9.
"""
