from hypothesis import given, settings, HealthCheck
from tests.frontend.strategies import documents
from tests.frontend.test_frontend_printed import holding
from tests.frontend.strategies import expressions
from archdsl.frontend.printing import to_arch,to_yaml
from archdsl.frontend.formatting import formatted
from archdsl.errors import Source
@settings(max_examples=60,deadline=None,suppress_health_check=list(HealthCheck))
@given(documents|expressions.map(holding))
def test(d):
    for n,t in (("arch",to_arch(d)),("yaml",to_yaml(d))):
        a=formatted(Source("x."+n,t)); 
        assert a==t, (t,a)
        for to in ("arch","yaml"):
            b=formatted(Source("x."+n,t),to); assert formatted(Source("x."+to,b))==b,(b,formatted(Source("x."+to,b)))
