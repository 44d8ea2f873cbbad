/** A flame graph as one page that needs nothing else: data as JSON, drawn by a few lines of script, names only ever as text. */
import { type CpuProfile, frameName, selfTimes } from './analyse.ts';

/** Frames on the page; the thinnest are left out. */
const FRAMES_MAX = 20_000;

interface Flame {
  readonly n: string;
  /** With what it calls, ms. */
  v: number;
  readonly c: Flame[];
}

/** @param title is shown as text */
export function flamePage(profile: CpuProfile, title: string): string {
  const data = JSON.stringify({ title, root: flames(profile) }).replaceAll('<', '\\u003c');
  return `${HEAD}<script type="application/json" id="data">${data}</script>\n<script>${SCRIPT}</script>\n`;
}

function flames(profile: CpuProfile): Flame {
  const nodes = new Map(profile.nodes.map((node) => [node.id, node]));
  const self = selfTimes(profile);
  const build = (id: number): Flame => {
    const node = nodes.get(id)!;
    const c = (node.children ?? []).map(build).filter(({ v }) => v > 0);
    const v = (self.get(id) ?? 0) + c.reduce((sum, one) => sum + one.v, 0);
    return { n: frameName(node.callFrame), v, c: c.sort((a, b) => b.v - a.v) };
  };
  const root = profile.nodes[0] === undefined ? { n: '(root)', v: 0, c: [] } : build(profile.nodes[0].id);
  const kept = root.c.filter(({ n }) => n !== '(idle)');
  const all = { n: 'all', v: kept.reduce((sum, one) => sum + one.v, 0), c: kept };
  prune(all);
  return all;
}

function prune(root: Flame): void {
  const sizes: number[] = [];
  const count = (flame: Flame): void => {
    sizes.push(flame.v);
    for (const one of flame.c) count(one);
  };
  count(root);
  const least = sizes.sort((a, b) => b - a)[FRAMES_MAX] ?? 0;
  const cut = (flame: Flame): void => {
    flame.c.splice(0, flame.c.length, ...flame.c.filter(({ v }) => v > least));
    for (const one of flame.c) cut(one);
  };
  cut(root);
}

const HEAD = `<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'">
<title>Flame graph</title>
<style>body{font:13px system-ui;margin:1em;background:#fff;color:#222}#g{position:relative}
#g button{position:absolute;height:19px;border:1px solid #fff;border-radius:2px;padding:0 3px;overflow:hidden;white-space:nowrap;text-align:left;font:12px system-ui;color:#222;cursor:pointer}
@media(prefers-color-scheme:dark){body{background:#111;color:#ddd}#g button{border-color:#111}}</style>
<h1></h1><p id="about">Width is time; what is called stands below its caller. Choose a frame to fill the width with it.</p><div id="g"></div>
`;

const SCRIPT = `
const{title,root}=JSON.parse(document.getElementById('data').textContent);
document.querySelector('h1').textContent=title;const g=document.getElementById('g'),about=document.getElementById('about');
const hue=(s)=>{if(s.startsWith('steps of'))return 205;let h=0;for(const c of s)h=(h*31+c.charCodeAt(0))%50;return h};
let path=[root];
function show(){g.replaceChildren();let depth=0;const W=g.clientWidth,top=path.at(-1);
const put=(f,x,w,d)=>{if(w<2)return;const b=document.createElement('button');b.textContent=f.n;
b.title=f.n+' - '+f.v.toFixed(1)+' ms, '+(100*f.v/root.v).toFixed(1)+' %';
b.style.cssText='left:'+x+'px;width:'+w+'px;top:'+d*20+'px;background:hsl('+hue(f.n)+' 80% 68%)';
b.onfocus=b.onmouseenter=()=>{about.textContent=b.title};b.onclick=()=>{const at=path.indexOf(f);if(at>=0)path=path.slice(0,at+1);else path=way(f);show()};
g.append(b);depth=Math.max(depth,d);let at=x;for(const c of f.c){const cw=w*c.v/f.v;put(c,at,cw,d+1);at+=cw}};
path.slice(0,-1).forEach((f,d)=>{put({...f,c:[]},0,W,d);g.lastChild.onclick=()=>{path=path.slice(0,d+1);show()}});
put(top,0,W,path.length-1);g.style.height=(depth+1)*20+'px'}
function way(f){const find=(n,p)=>n===f?p:n.c.reduce((r,c)=>r||find(c,[...p,c]),null);return find(root,[root])||[root]}
show();onresize=show;
`;
