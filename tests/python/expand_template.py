"""template.yaml as CloudFormation gets to see it: SAM's own translator expands it; JSON on standard output.

Usage: expand_template.py TEMPLATE
"""

import json
import os
import sys

# The translator asks for a region, never for AWS.
os.environ["AWS_DEFAULT_REGION"] = "eu-central-1"

from samtranslator.parser.parser import Parser
from samtranslator.public.translator import Translator
from samtranslator.yaml_helper import yaml_parse


def expand(path: str) -> dict:
    with open(path, encoding="utf-8") as file:
        template = yaml_parse(file.read())
    functions = {
        name: resource["Properties"]["CodeUri"]
        for name, resource in template["Resources"].items()
        if resource["Type"] == "AWS::Serverless::Function"
    }
    # `sam package` replaces the folders by places like these; the translator refuses folders.
    for name in functions:
        template["Resources"][name]["Properties"]["CodeUri"] = f"s3://packages/{name}"
    defaults = {name: parameter.get("Default", "") for name, parameter in template["Parameters"].items()}
    expanded = Translator({}, Parser()).translate(template, defaults)
    return {"folders": functions, "template": expanded}


if __name__ == "__main__":
    json.dump(expand(sys.argv[1]), sys.stdout)
