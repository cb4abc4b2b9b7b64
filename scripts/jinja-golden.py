"""Golden outputs for chat templates, by Jinja2 itself in the environment of transformers. A lab instrument: nothing that
is built or tested runs it.

    pip install jinja2==3.1.6
    python scripts/jinja-golden.py IN.json OUT.json

IN.json is a list of {"template", "variables"?}; OUT.json the same with "reference": {"ok": text} or {"err": why}.
"""
import copy, json, sys, datetime, re, signal
import jinja2
from jinja2 import nodes
from jinja2.ext import Extension, loopcontrols
from jinja2.sandbox import ImmutableSandboxedEnvironment

class Generation(Extension):
    tags = {"generation"}
    def parse(self, parser):
        line = next(parser.stream).lineno
        body = parser.parse_statements(["name:endgeneration"], drop_needle=True)
        return nodes.CallBlock(self.call_method("_said"), [], [], body).set_lineno(line)
    @jinja2.pass_eval_context
    def _said(self, context, caller):
        return caller()

def raise_exception(message):
    raise jinja2.exceptions.TemplateError(message)

def tojson(x, ensure_ascii=False, indent=None, separators=None, sort_keys=False):
    return json.dumps(x, ensure_ascii=ensure_ascii, indent=indent, separators=separators, sort_keys=sort_keys)

NOW = datetime.datetime(2025, 3, 7, 9, 5, 4)
def strftime_now(format):
    return NOW.strftime(format)

env = ImmutableSandboxedEnvironment(trim_blocks=True, lstrip_blocks=True, extensions=[Generation, loopcontrols])
env.filters["tojson"] = tojson
env.globals["raise_exception"] = raise_exception
env.globals["strftime_now"] = strftime_now

DEFAULT = {"messages": [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello"}, {"role": "user", "content": "Bye"}],
           "bos_token": "<s>", "eos_token": "</s>"}

class Slow(BaseException): pass
def alarm(*_): raise Slow()
signal.signal(signal.SIGALRM, alarm)

def reference(template, variables):
    signal.setitimer(signal.ITIMER_REAL, 3)
    try:
        return {"ok": env.from_string(template).render(**copy.deepcopy(variables))}
    except Slow:
        return {"slow": True}
    except (Exception, RecursionError) as e:
        return {"err": f"{type(e).__name__}: {e}"[:160]}
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)

if __name__ == "__main__":
    cases = json.load(open(sys.argv[1]))
    for case in cases:
        case["reference"] = reference(case["template"], case.get("variables", DEFAULT))
    json.dump(cases, open(sys.argv[2], "w"), ensure_ascii=False)
