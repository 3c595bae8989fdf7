"""The user data of template.yaml as bash reads it, with what the stack fills in left as it stands; for shellcheck.

Usage: user_data.py TEMPLATE
"""

import sys

import yaml


class Template(yaml.SafeLoader):
    """Takes `!Sub` and its kin for what follows them."""


def argument(loader: Template, _tag: str, node: yaml.Node):
    if isinstance(node, yaml.ScalarNode):
        return loader.construct_scalar(node)
    if isinstance(node, yaml.SequenceNode):
        return loader.construct_sequence(node, deep=True)
    return loader.construct_mapping(node, deep=True)


Template.add_multi_constructor("!", argument)

if __name__ == "__main__":
    with open(sys.argv[1], encoding="utf-8") as file:
        resources = yaml.load(file, Loader=Template)["Resources"]
    between, lines = resources["LaunchTemplate"]["Properties"]["LaunchTemplateData"]["UserData"]["Fn::Base64"]
    sys.stdout.write(between.join(line if isinstance(line, str) else line[0] for line in lines))
